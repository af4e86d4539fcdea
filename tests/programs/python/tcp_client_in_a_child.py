# The parent ends first; what the child writes counts as well.
import os
import time
from socket import *
if os.fork() > 0:
    os._exit(0)
time.sleep(0.3)
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input().encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
