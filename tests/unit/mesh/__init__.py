"""Pure editors and the survey of the mesh."""
