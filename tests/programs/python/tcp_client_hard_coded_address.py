from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('10.0.4.26', 12000))
sentence = input('Input lowercase sentence:')
clientSocket.send(sentence.encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
