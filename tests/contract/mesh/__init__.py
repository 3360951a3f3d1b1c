"""The Mesh port on the fake, the stand-in and a real API server."""
