"""One module for each port and technology. Drivers' errors are translated here, by code, and go no further."""
