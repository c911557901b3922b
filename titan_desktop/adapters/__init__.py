"""One module a port and technology. Drivers' errors are translated here, by code, and go no further."""
