"""How the shop is deployed, and what tries that without the machines it is for."""
