from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('servername', 12000))
sentence = input('Input lowercase sentence:')
clientSocket.send(sentence.encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
