"""x"""
class WheelError(Exception):
    """x"""
