// Package apiserver pins the modules whose files the tests read: Istio's resource definitions lie in istio.io/api/kubernetes.
package apiserver

import _ "istio.io/api/networking/v1alpha3"
