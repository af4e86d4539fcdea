# Tries every address that the name has.
import socket
clientSocket = socket.create_connection(('localhost', 12000))
clientSocket.send(input().encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
