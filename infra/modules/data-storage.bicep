// Blobs about people: copies to fetch, proofs, what was put aside, and the systems of record's own.
// People download their copy from here by a link that ends after minutes, so the account keeps its public
// endpoint; nobody gets in without a token of Entra or such a link.

@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region.')
param location string

@description('Optional. Tags.')
param tags object = {}

@description('Required. Names of the containers, see names.json.')
param containers object

@description('Required. Whether the containers of the systems of record are made here too.')
param createSystemsOfRecord bool

@description('Required. How many days a finished copy lives.')
param packageDays int

@description('Required. How many days a deleted blob can be restored.')
param softDeleteDays int

@description('Required. How many days a proof cannot be changed or deleted by anybody.')
param evidenceDays int

@description('Required. Where diagnostic logs go.')
param workspaceId string

@description('Optional. How often, and where, each byte is kept.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param redundancy string = 'Standard_ZRS'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  // checkov:skip=CKV_AZURE_206: the check reads no parameter; Standard_ZRS is the default, and personal data stays in one region
  // checkov:skip=CKV_AZURE_35: people fetch their copy here by a short signed link from any network
  // checkov:skip=CKV_AZURE_59: as above; public access to blobs themselves is off (allowBlobPublicAccess)
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource own 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containers.ours: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource systems 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containers.systems: if (createSystemsOfRecord) {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

// Made unlocked. Locking it is a step of its own that nobody can undo: see docs/operations.md.
resource evidenceLock 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2023-05-01' = {
  name: '${name}/default/${containers.evidence}/default'
  dependsOn: [own]
  properties: {
    immutabilityPeriodSinceCreationInDays: evidenceDays
    allowProtectedAppendWrites: false
  }
}

// A safety net: the sweep deletes each copy on its own day.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  dependsOn: [own]
  properties: {
    policy: {
      rules: concat([
        {
          name: containers.packages
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['${containers.packages}/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: packageDays + 1
                }
              }
            }
          }
        }
      ], otherRules)
    }
  }
}

var otherRules = [for rule in containers.deletedAfterDays: {
  name: rule.container
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: ['blockBlob']
      prefixMatch: ['${rule.container}/']
    }
    actions: {
      baseBlob: {
        delete: {
          daysAfterModificationGreaterThan: rule.days
        }
      }
    }
  }
}]

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

@description('Name of the account.')
output name string = account.name

@description('Resource id of the account.')
output id string = account.id

@description('Where its blobs are.')
output blobUri string = account.properties.primaryEndpoints.blob
