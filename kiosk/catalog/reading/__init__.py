"""From the text of models.yaml to models: everything that can be wrong with an entry is found here."""
