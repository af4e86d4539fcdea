# As a textbook has it: no header, the file as text, and a line end behind it.
from socket import *
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 6789))
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    try:
        message = connectionSocket.recv(1024).decode()
        page = open(message.split()[1][1:]).read()
        connectionSocket.send('HTTP/1.1 200 OK\r\n\r\n'.encode())
        for letter in page:
            connectionSocket.send(letter.encode())
        connectionSocket.send('\r\n'.encode())
    except IOError:
        connectionSocket.send('HTTP/1.1 404 NOT FOUND\r\n\r\n'.encode())
    connectionSocket.close()
