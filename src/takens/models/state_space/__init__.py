"""Linear Gaussian state space models: the Kalman filter and smoother, structural components, latent factors by EM."""
