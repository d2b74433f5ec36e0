"""The PS/2 controller (Intel 8042) and what is connected to it: keyboard and mouse."""
