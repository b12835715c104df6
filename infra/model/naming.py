import hashlib


def checkout_id(root):
    return hashlib.sha256(str(root).encode()).hexdigest()[:8]
