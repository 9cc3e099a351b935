"""An earlier bot's database: its customers, their money and their orders, brought into ours once."""
