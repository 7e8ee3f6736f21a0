"""What the codes mean: lists as data with validity dates. An unknown code is kept and shown as it was sent."""
