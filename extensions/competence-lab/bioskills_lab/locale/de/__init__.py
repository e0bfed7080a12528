"""German for JupyterLab: the sentences of the panel and its server part, in `LC_MESSAGES`."""
