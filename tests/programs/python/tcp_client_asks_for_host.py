from socket import *
serverName = input('Host name or address: ')
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect((serverName, 12000))
clientSocket.send(input('Input lowercase sentence:').encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
