"""From a trained model to answers: export, and servers and clients of TensorFlow Serving's kind."""
