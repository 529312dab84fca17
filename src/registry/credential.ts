/** One client secret, without the secret: only its hash is kept. */
export interface CredentialView {
  readonly id: string
  /** The secret's last four characters, to tell two apart. */
  readonly hint: string
  readonly createdAtMs: number
}
