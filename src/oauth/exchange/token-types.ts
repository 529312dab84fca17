/** RFC 8693 §3. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
/** Ours: what a session of the host's container gives to an app's page. */
export const sessionTokenType = 'urn:stoa:params:oauth:token-type:session_token'
