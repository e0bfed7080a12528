"""Make the environments of one installation; standard library only, Python 3.11 or newer."""
