// Where logs are kept. Deployed twice the first time: its masking rule names it, and it names the rule.

@description('Required. Name of the workspace.')
param name string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. How many days logs are kept.')
param retentionDays int

@description('Required. Cap of what is taken in a day, in GB; -1: none.')
param dailyCapGigabytes int

@description('Optional. The rule every record passes on its way in; empty: there is none yet.')
param maskingRuleId string = ''

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: {
      dailyQuotaGb: dailyCapGigabytes
    }
    defaultDataCollectionRuleResourceId: empty(maskingRuleId) ? null : maskingRuleId
  }
}

@description('Resource id of the workspace.')
output id string = workspace.id
