/** How a gRPC server is protected. Files are in PEM. */
export interface ServerSecurity {
  /** Without it, calls come in plain text. */
  readonly tls?:
    | {
        /** File with the server's certificate and those between it and its authority. */
        readonly cert: string;
        /** File with its key, not encrypted. */
        readonly key: string;
        /** File with the authority that signs clients: only who shows a certificate of it is let in (mTLS). */
        readonly clientCa?: string | undefined;
      }
    | undefined;
  /** Only who sends it is let in: 16 characters or more of letters, digits and `-._~+/=`. */
  readonly token?: string | undefined;
}

/** How a client makes sure of a gRPC server, and is let in. Files are in PEM. */
export interface ClientSecurity {
  /** Calls go by TLS; an empty object trusts the authorities that Node.js comes with. */
  readonly tls?:
    | {
        /** File with the authority that signed the server's certificate. */
        readonly ca?: string | undefined;
        /** File with our own certificate, and that with its key, where the server asks for one (mTLS). */
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
  /** Sent with every call. */
  readonly token?: string | undefined;
}
