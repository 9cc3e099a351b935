"""What the shop costs in time and bytes on the machine at hand, as ratios: `make bench`."""
