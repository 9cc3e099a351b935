"""`kiosk doctor`: everything that the shop leans on, looked at from where it runs."""
