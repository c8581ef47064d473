"""From validated rows to a bundle: fit the candidates, evaluate and export the best."""
