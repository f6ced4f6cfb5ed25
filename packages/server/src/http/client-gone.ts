/** Why work for a request ends whose client has left: nobody is there to be told, and nothing is wrong. */
export const CLIENT_GONE = new Error("The client has gone.");
