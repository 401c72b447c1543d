"""A supervisor of system calls: prints what it is told of a container, and fails each call with ENOMEDIUM."""
import array
import ctypes
import fcntl
import socket
import sys

NOTIF_RECV = 0xC0502100
NOTIF_SEND = 0xC0182101
ENOMEDIUM = 123


class Notification(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint64), ("pid", ctypes.c_uint32), ("flags", ctypes.c_uint32),
                ("data", ctypes.c_uint8 * 64)]


class Response(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint64), ("val", ctypes.c_int64), ("error", ctypes.c_int32),
                ("flags", ctypes.c_uint32)]


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
connection, _ = server.accept()
fds = array.array("i")
text, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
for _, _, data in ancillary:
    fds.frombytes(data[:4])
sys.stdout.write(text.decode())
sys.stdout.flush()
while True:
    notification = Notification()
    try:
        fcntl.ioctl(fds[0], NOTIF_RECV, notification)
    except FileNotFoundError:
        break  # the container has ended
    response = Response(id=notification.id, error=-ENOMEDIUM)
    fcntl.ioctl(fds[0], NOTIF_SEND, response)
