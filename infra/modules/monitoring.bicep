// Logs, traces and metrics. What could name a person is taken out on its way in: the host writes the URL of
// every request, and a URL may hold the token of a link or the secret of a webhook.

@description('Required. Ending of the names.')
param suffix string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Optional. How many days logs are kept; they are a copy with a clock of its own.')
@minValue(30)
@maxValue(365)
param retentionDays int = 30

@description('Optional. Cap of what is taken in a day, in GB; -1: none. What is over it is lost, alarms too.')
param dailyCapGigabytes int = 5

@description('Optional. Whether the workspace does not exist yet. Later it never stands without its masking rule.')
param isFirstDeployment bool = false

var workspaceName = 'log-${suffix}'
var destination = 'workspace'
var withoutQuery = 'Url = replace_regex(Url, @"\\?.*", "")'
var withoutSecret = 'Url = replace_regex(Url, @"/webhooks/([^/]+)/.*", @"/webhooks/\\1/-")'
var withoutToken = 'Url = replace_regex(Url, @"[A-Za-z0-9_-]{40,}", "-")'
var withoutPeople = 'Message = replace_regex(Message, @"[A-Za-z0-9._%+\\-]+(@|%40)[A-Za-z0-9.\\-]+", "-")'

module bareWorkspace './workspace.bicep' = if (isFirstDeployment) {
  name: 'workspace-bare'
  params: {
    name: workspaceName
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyCapGigabytes: dailyCapGigabytes
  }
}

resource masking 'Microsoft.Insights/dataCollectionRules@2022-06-01' = {
  name: 'dcr-${suffix}'
  location: location
  tags: tags
  kind: 'WorkspaceTransforms'
  dependsOn: [bareWorkspace]
  properties: {
    dataSources: {}
    destinations: {
      logAnalytics: [
        {
          name: destination
          workspaceResourceId: resourceId('Microsoft.OperationalInsights/workspaces', workspaceName)
        }
      ]
    }
    dataFlows: [
      {
        streams: ['Microsoft-Table-AppRequests']
        destinations: [destination]
        transformKql: 'source | extend ${withoutQuery} | extend ${withoutSecret} | extend ${withoutToken} | extend ClientIP = "", Properties = parse_json("{}")'
      }
      {
        streams: ['Microsoft-Table-AppDependencies']
        destinations: [destination]
        transformKql: 'source | extend Data = "", ClientIP = "", Properties = parse_json("{}")'
      }
      {
        streams: ['Microsoft-Table-AppTraces']
        destinations: [destination]
        transformKql: 'source | extend ${withoutPeople} | extend ClientIP = ""'
      }
      {
        streams: ['Microsoft-Table-AppExceptions']
        destinations: [destination]
        transformKql: 'source | extend OuterMessage = "", InnermostMessage = "", ClientIP = "", Details = parse_json("[]")'
      }
      {
        streams: ['Microsoft-Table-StorageBlobLogs']
        destinations: [destination]
        transformKql: 'source | extend Uri = "", ObjectKey = ""'
      }
    ]
  }
}

module workspace './workspace.bicep' = {
  name: 'workspace'
  params: {
    name: workspaceName
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyCapGigabytes: dailyCapGigabytes
    maskingRuleId: masking.id
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.outputs.id
    DisableLocalAuth: true
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.outputs.id

@description('Name of Application Insights.')
output insightsName string = insights.name

@description('Where telemetry is sent to; the key in it opens nothing, because local authentication is off.')
output insightsConnection string = insights.properties.ConnectionString
