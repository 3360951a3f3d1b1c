"""The expression forms that the stand-in documents: asked of both, equal; and those it refuses by name."""

from __future__ import annotations

_SELECTORS = (
    "hits_total",
    'hits_total{app="shop"}',
    'hits_total{app!="shop", version=~"v1|v3"}',
    'hits_total{code!~"2..|4.*"}',
    '{__name__="quota"}',
    '{__name__=~"quo.*", app=~".+"}',
    "hits_total{pod=~`v\\d-0`}",
    'hits_total{pod=~"v\\\\d-1"}',
    'hits_total{missing=""}',
    'hits_total{missing!=""}',
    "hits_total offset 30s",
    "hits_total offset -20s",
    "heat",
    "nothing",
    "hits_total[10s]",
    "heat[1m] offset 10s",
)
_OVER_TIME = (
    "increase",
    "delta",
    "irate",
    "idelta",
    "resets",
    "changes",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
)
_OF_A_VECTOR = ("abs", "ceil", "floor", "exp", "ln", "sqrt", "round", "sort", "sort_desc", "timestamp")
_WINDOWED = (
    *(f"rate(hits_total[{span}])" for span in ("4s", "5s", "15s", "1m", "5m")),
    "rate(hits_total[30s] offset 45s)",
    "rate(heat[1m])",
    *(f"{name}({metric}[40s])" for name in _OVER_TIME for metric in ("hits_total", "heat")),
    "quantile_over_time(0.9, heat[1m])",
    "quantile_over_time(2, heat[1m])",
    'absent_over_time(nothing{app="shop", code=~"2.*"}[1m])',
    "absent_over_time(hits_total[3s])",
)
_AGGREGATED = (
    *(
        f"{operator} {grouping} ({inner})"
        for operator in ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group")
        for grouping in ("", "by (version)", "without (pod, code)", "by ()")
        for inner in ("hits_total", "heat")
    ),
    "sum by (app, version) (rate(hits_total[30s]))",
    "sum(hits_total) by (nothing, app)",
    "max(nothing)",
)
_HISTOGRAMS = (
    *(
        f"histogram_quantile({portion}, sum by (le, version) (rate(took_bucket[1m])))"
        for portion in ("0", "0.5", "0.95", "0.99", "1", "-1", "2", "NaN")
    ),
    "histogram_quantile(0.9, rate(took_bucket[30s]))",
    "histogram_quantile(0.9, took_bucket)",
    'histogram_quantile(0.9, took_bucket{le!="+Inf"})',
    "histogram_quantile(0.9, hits_total)",
    'histogram_quantile(0.5, took_bucket{le=~"1|\\\\+Inf"})',
    "histogram_quantile(scalar(vector(0.5)), sum by (le) (increase(took_bucket[2m])))",
)
_FUNCTIONS = (
    *(
        f"{name}(heat)"
        for name in ["abs", "ceil", "floor", "exp", "ln", "sqrt", "round", "sort", "sort_desc", "timestamp"]
    ),
    "timestamp(-heat)",
    "timestamp(timestamp(heat))",
    "timestamp(heat offset 20s)",
    "round(heat, 5)",
    "round(heat, 0.1)",
    "clamp(heat, 1, 10)",
    "clamp(heat, 10, 1)",
    "clamp_min(heat, 3)",
    "clamp_max(heat, 3)",
    "clamp_max(heat, NaN)",
    "time()",
    "vector(3)",
    "vector(time())",
    "scalar(heat)",
    'scalar(quota{app="shop"})',
    "absent(nothing)",
    'absent(nothing{app="shop", app="cart", code="200", version=~"v.*"})',
    "absent(hits_total)",
    "absent(sum(nothing))",
    "absent((nothing{app='x'}))",
    'label_replace(heat, "zone", "$1-x", "pod", "(v.)-.*")',
    'label_replace(heat, "zone", "${1}$2x$$", "pod", "(v.)-(?P<two>.*)")',
    'label_replace(heat, "zone", "$two", "pod", "(v.)-(?P<two>.*)")',
    'label_replace(heat, "pod", "", "pod", ".*")',
    'label_replace(heat, "version", "same", "nothing", "")',
    'label_replace(heat, "app", "", "app", "cart")',
    'label_join(heat, "place", "/", "app", "pod")',
)
_OPERATORS = (
    *(f"heat {sign} 3" for sign in ("+", "-", "*", "/", "%", "^")),
    *(f"3 {sign} heat" for sign in ("+", "-", "*", "/", "%", "^")),
    *(f"heat {sign} quota_of_none" for sign in ("+", "/")),
    *(f"heat {sign} 10" for sign in ("==", "!=", "<", ">", "<=", ">=")),
    *(f"10 {sign} heat" for sign in ("==", "!=", "<", ">", "<=", ">=")),
    *(f"heat {sign} bool 10" for sign in ("==", "!=", "<", ">", "<=", ">=")),
    "heat > bool heat",
    "heat >= heat",
    "1 + 2 * 3 ^ 2 ^ 0.5 % 4 - -1",
    "-1 ^ 2",
    "(-1) ^ 0.5",
    "1 / 0",
    "0 / 0",
    "-1 / 0",
    "5 % 0",
    "1 > bool 2",
    "-heat",
    "-sum(heat)",
    "+quota",
    "1e20 * 10",
    "0.0000001",
    "sum by (app) (hits_total) / quota",
    "sum by (app) (hits_total) / on (app) quota",
    "sum by (app, version) (hits_total) / ignoring (version) quota",
    "sum by (app, version) (hits_total) / ignoring (code) sum by (app, version, code) (hits_total)",
    "quota * on (app) quota",
    "quota == on (app) quota",
    "quota > ignoring (app) quota",
    "heat / on (app) quota",
    "quota / on (app) heat",
    "heat and quota",
    "heat and on (app) quota",
    "heat unless on (app) quota",
    "heat unless nothing",
    "heat or quota",
    "quota or on (app) heat",
    "heat and ignoring (version, pod) quota > 3",
    "sum(heat) or vector(0)",
    "sum(nothing) or vector(0)",
    "time() - timestamp(heat)",
    "(sum(rate(hits_total{code=~'5..'}[1m])) or vector(0)) / sum(rate(hits_total[1m]))",
    "sum by (version) (rate(hits_total{code='503'}[1m])) / sum by (version) (rate(hits_total[1m])) > 0.1",
    '"a text"',
    "42",
    "NaN",
    "-Inf",
)
SUPPORTED = (*_SELECTORS, *_WINDOWED, *_AGGREGATED, *_HISTOGRAMS, *_FUNCTIONS, *_OPERATORS)

# What both must refuse, as what.
ERRORS = (
    "sum(",
    "",
    "{}",
    "rate(hits_total)",
    "hits_total[0s]",
    "unknown_function(heat)",
    'heat{app=~"("}',
    '{__name__=~"heat|quota"} * 0 == 0 and 1',
    '-{__name__=~"heat|quota"}',
    'rate({__name__=~"heat|heat2|hits_total"}[1m]) + "x"',
    'label_replace(heat, "pod", "same", "", "")',
    'label_replace(heat, "0bad", "x", "pod", ".*")',
    'label_replace(heat, "zone", "x", "pod", "(")',
    "heat + on (app) heat",
    "quota * on () quota",
    "1 == 2",
    "1 and 2",
    'sum("x")',
)

# Query by what the refusal must name.
REFUSED = {
    "topk(2, heat)": "topk",
    "bottomk(2, heat)": "bottomk",
    "quantile(0.5, heat)": "quantile",
    'count_values("x", heat)': "count_values",
    "heat * on (app) group_left quota": "group_left",
    "quota * on (app) group_right heat": "group_right",
    "max_over_time(rate(hits_total[1m])[5m:1m])": "subqueries",
    "heat @ 1700000000": "the @ modifier",
    "rate(hits_total[1m] @ end())": "the @ modifier",
    "heat atan2 quota": "atan2",
    "deriv(heat[1m])": "deriv",
    "predict_linear(heat[1m], 5)": "predict_linear",
    "histogram_count(heat)": "histogram_count",
    "histogram_sum(heat)": "histogram_sum",
    "histogram_fraction(0, 1, heat)": "histogram_fraction",
    "day_of_week()": "day_of_week",
    "sgn(heat)": "sgn",
}
