from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input().encode('ascii'))
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
