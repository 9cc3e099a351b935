"""What we sell: models, the questions they ask and what they cost; pure code over models.yaml."""
