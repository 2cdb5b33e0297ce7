// What the pipeline may do once everything stands: put a new version on the app, nothing else.

@description('Required. Object id of the identity that deploys.')
param principalId string

@description('Required. Name of the app.')
param appName string

var websiteContributor = 'de139f84-1756-47ae-9be6-808fbbe84772'

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource deployer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(app.id, principalId, websiteContributor)
  scope: app
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', websiteContributor)
  }
}
