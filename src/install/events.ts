import { defineEventType, type EventType, type Localized, schema } from '../capability/index.ts'

const data = schema.object({
  installationId: schema.string({ maxLength: 40 }),
  appId: schema.string({ maxLength: 40 }),
  scopes: schema.array(schema.string({ maxLength: 100 }), { maxItems: 100 }),
})

const example = {
  installationId: 'ins_01JD0000000000000000000001',
  appId: 'app_01JD0000000000000000000001',
  scopes: ['order:read'],
}

function installationEvent(type: string, summary: Localized): EventType {
  return defineEventType({
    type,
    version: 1,
    summary,
    scope: null,
    addressedTo: 'installation',
    subject: 'The installation’s id',
    data,
    example,
  })
}

export const installEvents = [
  installationEvent('app.installed', { en: 'A merchant installed the app', 'zh-CN': '商家安装了应用' }),
  installationEvent('app.uninstalled', { en: 'A merchant uninstalled the app', 'zh-CN': '商家卸载了应用' }),
  installationEvent('grant.changed', {
    en: 'A merchant changed what the app may do',
    'zh-CN': '商家更改了应用的权限',
  }),
]
