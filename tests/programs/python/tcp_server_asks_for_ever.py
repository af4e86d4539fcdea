import time
from socket import *
while True:
    try:
        serverPort = int(input('Port: '))
        break
    except Exception as error:
        print(error)
        time.sleep(60)
