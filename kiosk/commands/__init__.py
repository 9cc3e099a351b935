"""Commands of `kiosk` that are more than one function."""
