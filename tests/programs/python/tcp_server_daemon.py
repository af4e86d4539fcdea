# Puts itself in the background, as system services do.
import os
import sys
from socket import *
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
if os.fork() > 0:
    sys.exit(0)
os.setsid()
if os.fork() > 0:
    sys.exit(0)
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    connectionSocket.send(connectionSocket.recv(1024).decode().upper().encode())
    connectionSocket.close()
