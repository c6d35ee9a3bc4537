"""The built-in regressors, one file each."""
