# Half Python 2, half Python 3.
from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
sentence = raw_input('Input lowercase sentence:')
clientSocket.send(sentence.encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
