// Everything the app's identity may do, on one page (what deploys it: deployer.bicep). Roles on data only: it can make no container, see no key
// and change no resource.

@description('Required. Object id of the app\'s identity.')
param principalId string

@description('Required. Name of the host\'s storage account.')
param hostStorageName string

@description('Required. Name of the storage account of blobs about people.')
param dataStorageName string

@description('Required. Containers in it, see names.json.')
param containers object

@description('Required. Name of the database account.')
param cosmosName string

@description('Required. Name of the database of the systems of record.')
param systemsDatabase string

@description('Required. Name of our own database.')
param complianceDatabase string

@description('Required. Containers of the systems of record in which the app creates items too.')
param createdInSystems array

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of Application Insights.')
param insightsName string

var role = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
var group = resourceGroup().id
var anyBlob = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
var anyItem = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers'
// Packages and what was put aside are written and deleted; proofs are written and never deleted.
var contributed = [for container in containers.ours: container == containers.evidence ? evidenceWriter.id : subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobDataContributor)]

resource hostStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostStorageName
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: dataStorageName
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' existing = {
  parent: dataStorage
  name: 'default'
}

resource ownContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' existing = [for container in containers.ours: {
  parent: dataBlobs
  name: container
}]

resource systemsContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' existing = [for container in containers.systems: {
  parent: dataBlobs
  name: container
}]

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' existing = {
  name: cosmosName
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// The host keeps locks, timers and its package in blobs, and reads and releases messages.
resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, role.blobDataOwner)
  scope: hostStorage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobDataOwner)
  }
}

resource hostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, role.queueDataContributor)
  scope: hostStorage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.queueDataContributor)
  }
}

resource hostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, role.tableDataContributor)
  scope: hostStorage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.tableDataContributor)
  }
}

// Links to copies are signed with a key that Entra gives for an hour.
resource links 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataStorage.id, principalId, role.blobDelegator)
  scope: dataStorage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.blobDelegator)
  }
}

// The last permission goes beyond a contributor's: an earlier version of a blob is erased too.
resource systemsEraser 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'blobs-of-the-systems-of-record')
  properties: {
    roleName: 'Data protection: blobs of the systems of record (${uniqueString(resourceGroup().id)})'
    description: 'Read, correct and erase blobs and their earlier versions. No container is made or deleted.'
    type: 'CustomRole'
    assignableScopes: [group]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        dataActions: ['${anyBlob}/read', '${anyBlob}/write', '${anyBlob}/delete', '${anyBlob}/tags/read', '${anyBlob}/tags/write', '${anyBlob}/deleteBlobVersion/action']
      }
    ]
  }
}

resource evidenceWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'proofs')
  properties: {
    roleName: 'Data protection: proofs (${uniqueString(resourceGroup().id)})'
    description: 'Write and read proofs. None is deleted.'
    type: 'CustomRole'
    assignableScopes: [group]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        dataActions: ['${anyBlob}/read', '${anyBlob}/write', '${anyBlob}/add/action']
      }
    ]
  }
}

resource ownBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, number) in containers.ours: {
  name: guid(ownContainers[number].id, principalId, container == containers.evidence ? 'proofs' : role.blobDataContributor)
  scope: ownContainers[number]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: contributed[number]
  }
}]

resource systemsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, number) in containers.systems: {
  name: guid(systemsContainers[number].id, principalId, 'systems')
  scope: systemsContainers[number]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: systemsEraser.id
  }
}]

resource secrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, role.secretsUser)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.secretsUser)
  }
}

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, role.metricsPublisher)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.metricsPublisher)
  }
}

// The database knows roles of its own. Four, because each belongs to another scope.
resource metadataRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, 'metadata')
  properties: {
    roleName: 'Data protection: metadata'
    type: 'CustomRole'
    assignableScopes: [cosmos.id]
    permissions: [
      {
        dataActions: ['Microsoft.DocumentDB/databaseAccounts/readMetadata']
      }
    ]
  }
}

resource systemsRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, 'systems-of-record')
  properties: {
    roleName: 'Data protection: items of the systems of record'
    type: 'CustomRole'
    assignableScopes: [cosmos.id]
    permissions: [
      {
        dataActions: ['${anyItem}/executeQuery', '${anyItem}/items/read', '${anyItem}/items/replace', '${anyItem}/items/delete']
      }
    ]
  }
}

resource creatingRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, 'creating-in-systems-of-record')
  properties: {
    roleName: 'Data protection: new items in a system of record'
    type: 'CustomRole'
    assignableScopes: [cosmos.id]
    permissions: [
      {
        dataActions: ['${anyItem}/items/create']
      }
    ]
  }
}

resource complianceRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, 'compliance')
  properties: {
    roleName: 'Data protection: items of our own'
    type: 'CustomRole'
    assignableScopes: [cosmos.id]
    permissions: [
      {
        dataActions: ['${anyItem}/executeQuery', '${anyItem}/items/read', '${anyItem}/items/create', '${anyItem}/items/replace', '${anyItem}/items/upsert', '${anyItem}/items/delete']
      }
    ]
  }
}

resource metadata 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, 'metadata')
  properties: {
    principalId: principalId
    roleDefinitionId: metadataRole.id
    scope: cosmos.id
  }
}

resource systemsItems 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, 'systems-of-record')
  properties: {
    principalId: principalId
    roleDefinitionId: systemsRole.id
    scope: '${cosmos.id}/dbs/${systemsDatabase}'
  }
}

resource createdItems 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [for container in createdInSystems: {
  parent: cosmos
  name: guid(cosmos.id, principalId, 'creating', container)
  properties: {
    principalId: principalId
    roleDefinitionId: creatingRole.id
    scope: '${cosmos.id}/dbs/${systemsDatabase}/colls/${container}'
  }
}]

resource complianceItems 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: cosmos
  name: guid(cosmos.id, principalId, 'compliance')
  properties: {
    principalId: principalId
    roleDefinitionId: complianceRole.id
    scope: '${cosmos.id}/dbs/${complianceDatabase}'
  }
}
