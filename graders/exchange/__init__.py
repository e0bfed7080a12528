"""The nbgrader exchange over HTTP."""
