"""The genuine Windows Python, run in Wine on this machine: `.ci/install-windows` installs both."""
