"""How a script is run, recorded and reproduced; knows no model."""
