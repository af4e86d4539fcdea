import sys
from socket import *
if not sys.stdin.isatty():
    sys.exit('this program wants a terminal')
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input('Input lowercase sentence:').encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
