# The loop closes the connection before its thread has answered on it.
import threading
from socket import *
def serve(connection, received, closed):
    sentence = connection.recv(1024).decode()
    received.set()
    closed.wait()
    connection.send(sentence.upper().encode())
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    received, closed = threading.Event(), threading.Event()
    threading.Thread(target=serve, args=(connectionSocket, received, closed)).start()
    received.wait()
    connectionSocket.close()
    closed.set()
