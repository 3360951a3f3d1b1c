"""Plans for manifests in files: the pure editors without a cluster.

Here: manifests read from YAML with their positions, the plan over them, edits of the text that leave every other line
alone, and the answer as JSON. Not here: how it is printed, and anything that opens a connection. Only the command line
imports it.
"""
