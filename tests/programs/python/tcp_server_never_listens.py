# listen() was forgotten, and the program waits for something else.
from socket import *
import threading
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
print('The server is ready to receive')
threading.Event().wait()
