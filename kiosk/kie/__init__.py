"""The provider in its own words: what is sent to it, and what its answers mean."""
