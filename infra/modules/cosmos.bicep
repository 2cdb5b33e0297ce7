// The database account, without keys, and both databases. Data roles cannot make containers, so all of ours
// are made here; those of the systems of record belong to the products, except where there are none yet.

@description('Required. Name of the account.')
@minLength(3)
@maxLength(44)
param name string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Name of the database of the systems of record.')
param systemsDatabase string

@description('Required. Name of our own database.')
param complianceDatabase string

@description('Required. Containers of our own, see names.json: what is queried is indexed, nothing else.')
param complianceContainers array

@description('Required. Containers of the systems of record.')
param systemsContainers array

@description('Required. Whether the containers of the systems of record are made here too.')
param createSystemsOfRecord bool

@description('Required. How throughput is paid: by request, or by a rate that grows on its own.')
@allowed(['serverless', 'autoscale'])
param capacity string

@description('Optional. With autoscale: the highest rate of each database, in RU/s.')
@minValue(1000)
param autoscaleMaximum int = 4000

@description('Required. For how many days the account can be restored to any moment; erased data with it.')
@allowed([7, 30])
param backupDays int

@description('Optional. Whether the internet reaches the account.')
@allowed(['Enabled', 'Disabled'])
param publicNetworkAccess string = 'Disabled'

@description('Required. Where diagnostic logs go.')
param workspaceId string

@description('Required. Whether each region spreads over availability zones.')
param isZoneRedundant bool

var isServerless = capacity == 'serverless'
var throughput = isServerless ? {} : { autoscaleSettings: { maxThroughput: autoscaleMaximum } }

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: publicNetworkAccess
    networkAclBypass: 'None'
    enableAutomaticFailover: false
    enableMultipleWriteLocations: false
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: isZoneRedundant
      }
    ]
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: backupDays == 7 ? 'Continuous7Days' : 'Continuous30Days'
      }
    }
  }
}

resource compliance 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: complianceDatabase
  properties: {
    resource: {
      id: complianceDatabase
    }
    options: throughput
  }
}

resource own 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [for container in complianceContainers: {
  parent: compliance
  name: container.name
  properties: {
    resource: union({
      id: container.name
      partitionKey: {
        paths: [container.partitionKey]
        kind: 'Hash'
        version: 2
      }
      indexingPolicy: {
        indexingMode: 'consistent'
        automatic: true
        includedPaths: container.indexed
        excludedPaths: [{ path: '/*' }]
        compositeIndexes: container.composites
      }
    }, container.ttl)
  }
}]

resource systems 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = if (createSystemsOfRecord) {
  parent: account
  name: systemsDatabase
  properties: {
    resource: {
      id: systemsDatabase
    }
    options: throughput
  }
}

resource products 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [for container in systemsContainers: if (createSystemsOfRecord) {
  parent: systems
  name: container.name
  properties: {
    resource: {
      id: container.name
      partitionKey: {
        paths: [container.partitionKey]
        kind: 'Hash'
        version: 2
      }
      indexingPolicy: {
        indexingMode: 'consistent'
        automatic: true
        includedPaths: [{ path: '/*' }]
        excludedPaths: [{ path: '/"_etag"/?' }]
      }
    }
  }
}]

// Only what was changed about the account: the log of data requests names documents, and the one of
// partition keys names people.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ControlPlaneRequests'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Requests'
        enabled: true
      }
    ]
  }
}

@description('Name of the account.')
output name string = account.name

@description('Resource id of the account.')
output id string = account.id

@description('Where the account is reached.')
output endpoint string = account.properties.documentEndpoint
