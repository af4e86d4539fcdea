import java.io.*;
import java.net.*;

// What is written stays in the buffer: flush() was forgotten.
class TCPClientNoFlush {
    public static void main(String[] argv) throws Exception {
        Socket clientSocket = new Socket("127.0.0.1", 12000);
        PrintWriter out = new PrintWriter(clientSocket.getOutputStream());
        BufferedReader in =
            new BufferedReader(new InputStreamReader(clientSocket.getInputStream()));
        out.println("hello, world!");
        System.out.println("FROM SERVER: " + in.readLine());
        clientSocket.close();
    }
}
