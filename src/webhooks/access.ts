import { type Access, idOf } from '../capability/index.ts'

export const readers: Access = { kind: 'publisher', roles: ['owner', 'developer', 'viewer', 'ci'] }
export const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }

export const appPath = '/developer/v1/apps/{appId}'
export const endpointPath = `${appPath}/endpoints/{endpointId}`
export const appId = idOf('app')
export const endpointId = idOf('endpoint')
